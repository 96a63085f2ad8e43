// What the tabs of this browser have to do with each other: a channel between them, and one at a time.

const TAB = "sme-pulse.tab";
const CHANNEL = "BroadcastChannel" in window ? new BroadcastChannel("sme-pulse.session") : null;
/** How long other tabs have to answer a question. */
const PATIENCE = 150;

/** Sends a message to all other tabs. */
export function tell(message) {
  CHANNEL?.postMessage(message);
}

/** Calls the listener with each message of another tab. */
export function hear(listener) {
  CHANNEL?.addEventListener("message", (event) => listener(event.data));
}

/** Asks the other tabs; their first answer for which `fits` holds, or null when none comes in time. */
export function ask(question, fits) {
  if (!CHANNEL) return Promise.resolve(null);
  return new Promise((done) => {
    const listener = (event) => {
      if (fits(event.data)) end(event.data);
    };
    const timer = setTimeout(() => end(null), PATIENCE);
    const end = (answer) => {
      clearTimeout(timer);
      CHANNEL.removeEventListener("message", listener);
      done(answer);
    };
    CHANNEL.addEventListener("message", listener);
    tell(question);
  });
}

/** Whether there may be other tabs. To be asked before `open`. */
export async function mayHaveOthers() {
  if (!navigator.locks) return true;
  const { held } = await navigator.locks.query();
  return held.some((lock) => lock.name === TAB);
}

/** Lets other tabs see this one until it closes. */
export function open() {
  navigator.locks?.request(TAB, { mode: "shared" }, () => new Promise(() => {}));
}

/** Does the work while no other tab does work of this name. Without locks (no TLS) it does it all the same. */
export function alone(name, work) {
  return navigator.locks ? navigator.locks.request(`sme-pulse.${name}`, work) : work();
}
