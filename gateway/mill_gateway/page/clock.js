// The gateway's time, by which rollouts are shown: this machine's clock may be wrong.

const NOT_WORTH_IT_MS = 2000; // the header has whole seconds, and the answer was on its way

let ahead = 0;

export const now = () => Date.now() + ahead;

/** Learn from an answer's `Date` header how far the gateway's clock is ahead of ours. */
export function learn(date) {
  const difference = Date.parse(date) - Date.now();
  ahead = Math.abs(difference) > NOT_WORTH_IT_MS ? difference : 0;
}

export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}
