// Making and changing the page's elements. Data become text and attributes, never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A list that a status may have: of another release it may be anything, and then there is none. */
export function listed(value) {
  return Array.isArray(value) ? value.filter((each) => each !== null && typeof each === "object") : [];
}

/** Set an element's text, only if it is another one: what a screen reader has read stays read. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Bring children to one for each item, by key, in the items' order; those that stay keep focus and state. */
export function keyed(parent, items, key, make, update) {
  const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(items.map(key));
  for (const [name, child] of there) if (!wanted.has(name)) child.remove(); // first: who is moved loses the focus
  let position = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = there.get(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
    }
    if (child === position) position = position.nextElementSibling;
    else parent.insertBefore(child, position);
    update(child, item);
  }
}
