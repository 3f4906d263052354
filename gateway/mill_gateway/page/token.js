// The token is kept in this tab's session storage, and goes nowhere but into the header of requests to this gateway.

const KEY = "mill-token";

export const token = () => sessionStorage.getItem(KEY);
export const keep = (value) => sessionStorage.setItem(KEY, value);

/** Whether it could be one at all: nothing else fits into a header. */
export const possible = (value) => /^[!-~]+$/.test(value);
export const forget = () => sessionStorage.removeItem(KEY);

export function headers(more = {}) {
  const known = token();
  return known ? { ...more, Authorization: `Bearer ${known}` } : more;
}
