#!/bin/bash
# What `make soak` runs: SCHEDULES random schedules from seed FIRST on (or from where the last run stopped), then KILLS kills of
# real workerd. The seed that comes next is kept in target/soaked with the commit that it is about: a soak that was stopped goes
# on there, one that came to its end, or is of another commit, begins anew; so does FIRST=0.
set -euo pipefail
BATCH=10000
kept=target/soaked
mkdir -p target
commit=$(git rev-parse HEAD)
read -r of next < <(cat "$kept" 2>/dev/null) || of='' next=0
[[ $of == "$commit" ]] || next=0
first=${FIRST:-$next}

while (( first < SCHEDULES )); do
  count=$(( SCHEDULES - first < BATCH ? SCHEDULES - first : BATCH ))
  printf '%s  %d of %d schedules\n' "$(date -u +%FT%TZ)" "$first" "$SCHEDULES"
  FIRST=$first SCHEDULES=$count cargo test --locked --quiet --profile soak --test faults no_schedule_loses -- --nocapture
  first=$(( first + count ))
  echo "$commit $first" > "$kept"
done
rm -f "$kept"
printf '%s  %d schedules, %d kills to come\n' "$(date -u +%FT%TZ)" "$first" "$KILLS"
(( KILLS == 0 )) || KILLS=$KILLS node --test --test-reporter=spec tests/e2e/kill.test.mjs
