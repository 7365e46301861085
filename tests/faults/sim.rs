//! The scheduler and the faults. Everything that a port does is an effect: it stops before and after, so that any other
//! request may come between, and it may fail in one of the ways of [`Fault`]. One thread and one seed decide all of it.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use keyfob::domain::time::Timestamp;
use keyfob::ports::Clock;

/// How an effect fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error, and nothing was done.
    ErrorBefore,
    /// An error, though it was done.
    ErrorAfter,
    /// An error, and it is done later.
    ErrorThenDone,
    /// It is done twice, and the answer is that of the second time: a batch that was sent again.
    Twice,
    /// No answer ever, and nothing was done.
    HangBefore,
    /// No answer ever, though it was done.
    HangAfter,
    /// The isolate dies before it.
    DeathBefore,
    /// The isolate dies after it.
    DeathAfter,
    /// The client resets the connection; the request runs to its end, but nobody hears the answer.
    Reset,
}

impl Fault {
    pub(crate) const ALL: [Self; 9] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::ErrorThenDone,
        Self::Twice,
        Self::HangBefore,
        Self::HangAfter,
        Self::DeathBefore,
        Self::DeathAfter,
        Self::Reset,
    ];
}

/// Whose effect it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    Database,
    Blobs,
    Network,
}

/// Which effects fail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plan {
    Nothing,
    /// Only the one with this number.
    One(usize, Fault),
    /// The one with this number and all after it.
    From(usize, Fault),
    /// Each with a chance of one in so many.
    Random(u64),
}

/// A small generator (`SplitMix64`): the same numbers from the same seed, everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// What the effects of all isolates share.
pub(crate) struct Sim {
    pub(crate) dice: Mutex<Dice>,
    state: Mutex<State>,
}

struct State {
    plan: Plan,
    /// How many effects there were under the plan.
    effects: usize,
    /// Whose effect failed last.
    failed: Option<Port>,
    /// Whether what was polled last can go on at once.
    is_runnable: bool,
    /// What became of the request that was polled last.
    is_dead: bool,
    is_left: bool,
    /// What is done later.
    late: Vec<BoxFuture<'static, ()>>,
}

impl Sim {
    pub(crate) fn seeded(seed: u64) -> Arc<Self> {
        let state = State {
            plan: Plan::Nothing,
            effects: 0,
            failed: None,
            is_runnable: false,
            is_dead: false,
            is_left: false,
            late: Vec::new(),
        };
        Arc::new(Self { dice: Dice::seeded(seed).into(), state: state.into() })
    }

    pub(crate) fn plan(&self, plan: Plan) {
        let mut state = self.state.lock().unwrap();
        (state.plan, state.effects) = (plan, 0);
    }

    /// How many effects there were since the plan was made.
    pub(crate) fn effects(&self) -> usize {
        self.state.lock().unwrap().effects
    }

    /// Whose effect failed last.
    pub(crate) fn failed(&self) -> Option<Port> {
        self.state.lock().unwrap().failed
    }

    pub(crate) fn roll(&self, bound: u64) -> u64 {
        self.dice.lock().unwrap().below(bound)
    }

    /// Does something that may fail: `act` may be done any number of times, `lost` is the error of an answer that is lost.
    pub(crate) async fn effect<T: Send + 'static>(
        &self,
        port: Port,
        act: impl Fn() -> BoxFuture<'static, T>,
        lost: T,
    ) -> T {
        self.pause().await;
        let fault = self.next_fault(port);
        match fault {
            Some(Fault::ErrorBefore) => return lost,
            Some(Fault::ErrorThenDone) => {
                let act = act();
                self.state.lock().unwrap().late.push(Box::pin(async move { drop(act.await) }));
                return lost;
            }
            Some(Fault::HangBefore) => pending().await,
            Some(Fault::DeathBefore) => self.die().await,
            Some(Fault::Reset) => self.state.lock().unwrap().is_left = true,
            Some(Fault::Twice) => drop(act().await),
            _ => {}
        }
        let done = act().await;
        match fault {
            Some(Fault::ErrorAfter) => return lost,
            Some(Fault::HangAfter) => pending().await,
            Some(Fault::DeathAfter) => self.die().await,
            _ => {}
        }
        self.pause().await;
        done
    }

    fn next_fault(&self, port: Port) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let number = state.effects;
        state.effects += 1;
        let fault = match state.plan {
            Plan::One(failing, fault) => (number == failing).then_some(fault),
            Plan::From(failing, fault) => (number >= failing).then_some(fault),
            Plan::Random(chance) => {
                let mut dice = self.dice.lock().unwrap();
                (dice.below(chance) == 0).then(|| dice.pick(&Fault::ALL))
            }
            Plan::Nothing => None,
        };
        state.failed = fault.map_or(state.failed, |_| Some(port));
        fault
    }

    /// Lets anything else come first.
    async fn pause(&self) {
        let mut paused = false;
        poll_fn(|context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            self.state.lock().unwrap().is_runnable = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn die(&self) {
        self.state.lock().unwrap().is_dead = true;
        pending::<()>().await;
    }

    /// Does what was to be done late; what is refused by then stays undone.
    pub(crate) fn finish_late(&self) {
        let late = std::mem::take(&mut self.state.lock().unwrap().late);
        for mut act in late {
            while poll(&mut act).is_none() {}
        }
    }

    /// Polls a request once.
    pub(crate) fn step<T>(&self, request: &mut Request<T>) -> Step<T> {
        {
            let mut state = self.state.lock().unwrap();
            (state.is_runnable, state.is_dead, state.is_left) = (false, false, false);
        }
        let answer = poll(&mut request.future);
        let state = self.state.lock().unwrap();
        request.is_left |= state.is_left;
        match answer {
            Some(_) if request.is_left => Step::Over(None),
            Some(answer) => Step::Over(Some(answer)),
            None if state.is_dead => Step::Over(None),
            None if state.is_runnable => Step::Runs,
            None => Step::Waits,
        }
    }

    /// Runs requests side by side, each to its end or to where nothing goes on any more.
    pub(crate) fn run_all<T>(
        &self,
        clock: &SimClock,
        dice: &mut Dice,
        futures: Vec<BoxFuture<'static, T>>,
    ) -> Vec<Option<T>> {
        let mut answers: Vec<Option<T>> = futures.iter().map(|_| None).collect();
        let mut requests: Vec<(usize, Request<T>)> = futures.into_iter().map(Request::new).enumerate().collect();
        let mut standing = Vec::new();
        loop {
            if requests.is_empty() {
                if standing.is_empty() || !clock.skip() {
                    return answers;
                }
                requests.append(&mut standing);
            }
            let at = usize::try_from(dice.below(requests.len() as u64)).unwrap();
            let (number, request) = &mut requests[at];
            match self.step(request) {
                Step::Runs => {}
                Step::Waits => standing.push(requests.swap_remove(at)),
                Step::Over(answer) => {
                    answers[*number] = answer;
                    requests.swap_remove(at);
                }
            }
        }
    }

    /// Runs one request to its end, or to where nothing goes on any more.
    pub(crate) fn run<T>(&self, clock: &SimClock, future: BoxFuture<'static, T>) -> Option<T> {
        let mut request = Request::new(future);
        loop {
            match self.step(&mut request) {
                Step::Over(answer) => return answer,
                Step::Runs => {}
                Step::Waits if clock.skip() => {}
                Step::Waits => return None,
            }
        }
    }
}

/// A request under way.
pub(crate) struct Request<T> {
    future: BoxFuture<'static, T>,
    is_left: bool,
}

impl<T> Request<T> {
    pub(crate) fn new(future: BoxFuture<'static, T>) -> Self {
        Self { future, is_left: false }
    }
}

/// What polling a request came to.
pub(crate) enum Step<T> {
    /// It is over; without an answer that anybody heard where it died, or its client left.
    Over(Option<T>),
    /// It goes on when it is polled again.
    Runs,
    /// It waits for time to pass, or for ever.
    Waits,
}

fn poll<T>(future: &mut Pin<Box<dyn Future<Output = T> + Send>>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Simulated time: it passes when the test says so, or when everything waits for it.
pub(crate) struct SimClock {
    now: AtomicI64,
    /// When somebody wants to go on.
    deadlines: Mutex<Vec<i64>>,
}

impl SimClock {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self { now: now.millis().into(), deadlines: Mutex::default() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Goes on to the next moment that somebody waits for; false when nobody does.
    pub(crate) fn skip(&self) -> bool {
        let now = self.now.load(Ordering::SeqCst);
        let mut deadlines = self.deadlines.lock().unwrap();
        deadlines.retain(|deadline| *deadline > now);
        let next = deadlines.iter().min().copied();
        self.now.store(next.unwrap_or(now), Ordering::SeqCst);
        next.is_some()
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        let deadline = self.now.load(Ordering::SeqCst) + i64::try_from(duration.as_millis()).unwrap();
        self.deadlines.lock().unwrap().push(deadline);
        poll_fn(|context| {
            if self.now.load(Ordering::SeqCst) >= deadline {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}
