// The page that frames the picker. It is heard where it is the origin that this picker was opened for: that this origin is
// registered, and that no other page frames us, the policy of this page has seen to.
import { type FromHost, type FromPicker, type Ready, type Start } from "../host/messages";

export interface Host {
  start: Start;
  say(message: FromPicker): void;
  /** Another session; null where there is none. */
  renew(): Promise<string | null>;
}

/** Waits for the page to say what it wants. */
export function meet(origin: string): Promise<Host> {
  return new Promise((resolve) => {
    addEventListener("message", function heard(event: MessageEvent) {
      if (event.source !== window.parent || event.origin !== origin || event.data?.type !== "keyfob:start") return;
      const [port] = event.ports;
      if (!port) return;
      removeEventListener("message", heard);
      resolve(hostBehind(port, event.data as Start));
    });
    const ready: Ready = { type: "keyfob:ready" };
    window.parent.postMessage(ready, origin);
  });
}

function hostBehind(port: MessagePort, start: Start): Host {
  const say = (message: FromPicker): void => port.postMessage(message);
  const renew = (): Promise<string | null> =>
    new Promise((resolve) => {
      port.onmessage = ({ data }: MessageEvent<FromHost>) => resolve(data.type === "session" ? data.session : null);
      say({ type: "session_over" });
    });
  return { start, say, renew };
}
