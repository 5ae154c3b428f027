/* Building elements without markup strings: text from the wire only ever becomes text nodes. */

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  chat: ['M12 3.5c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-1 0-2-.1-2.9-.4L4.3 20.7l1-4C3.9 15.3 3 13.4 3 11.2c0-4.3 4-7.7 9-7.7Z'],
  down: ['m6 9.5 6 6 6-6'],
  close: ['M6.5 6.5l11 11', 'M17.5 6.5l-11 11'],
  send: ['M12 19V5.5', 'm5.8 11.6 6.2-6.2 6.2 6.2'],
  person: ['M12 11.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6Z', 'M4.8 20c.7-3.7 3.6-5.6 7.2-5.6s6.5 1.9 7.2 5.6'],
  door: ['M6.5 20.5V5A1.5 1.5 0 0 1 8 3.5h8A1.5 1.5 0 0 1 17.5 5v15.5', 'M4 20.5h16', 'M14.2 12.2v.6'],
  out: ['M9 5.5H18.5V15', 'M18 6 6.5 17.5'],
};

/** h('p', {class: 'x', onclick: f, hidden: true}, 'text', node): an element with attributes, listeners, children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== ''));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', line);
    svg.append(path);
  }
  return svg;
}

/** Only web addresses may become links; anything else stays text. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : '';
  } catch {
    return '';
  }
}

export function link(href, ...children) {
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...children);
}

/** Text with its web addresses as links. A full stop or bracket after an address is not part of it. */
export function withLinks(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']+/gi)) {
    const address = match[0].replace(/[.,;:!?)\]}]+$/, '');
    const href = webAddress(address);
    if (!href) continue;
    nodes.push(text.slice(from, match.index), link(href, address));
    from = match.index + address.length;
  }
  nodes.push(text.slice(from));
  return nodes;
}
