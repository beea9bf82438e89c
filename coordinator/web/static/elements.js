// Making elements. Text is always text: no string of anybody's ever becomes markup.

/**
 * An element.
 *
 * @param {string} tag Its name.
 * @param {object} [settings] `class`, `text`, `on` (listeners by event), `data` (data-…), `style`
 *     (custom properties and others by name); anything else is a property where the element has
 *     one of that name, and an attribute otherwise. What is null, undefined or false is left out.
 * @param {...(Node|string|null|undefined|false|Array)} children
 */
export function el(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (value == null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "on") listen(element, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") restyle(element, value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** An element of SVG; all settings are attributes. */
export function svg(tag, settings = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(settings)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set an attribute, or take it away with null. */
export function attribute(element, name, value) {
  if (value == null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Set an element's text, touching the document only where it changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function listen(element, listeners) {
  for (const [event, listener] of Object.entries(listeners)) {
    element.addEventListener(event, listener);
  }
}

function restyle(element, rules) {
  for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value);
}
