/* One accent colour from the shop, made readable: WCAG contrast of at least 4.5 wherever text meets it. */

const FALLBACK = [31, 90, 76];
const ENOUGH = 4.5;

function parse(hex) {
  const digits = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(hex.trim())?.[1];
  if (!digits) return FALLBACK;
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits;
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16));
}

/** Relative luminance, WCAG 2.2. */
function luminance(rgb) {
  const [r, g, b] = rgb.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** `colour` moved towards `goal` until it can be read on `ground`. */
function readable(colour, ground, goal) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((channel, i) => Math.round(channel + (goal[i] - channel) * share));
    if (contrast(mixed, ground) >= ENOUGH) return mixed;
  }
  return goal;
}

const BLACK = [16, 16, 18];
const WHITE = [255, 255, 255];

/** The custom properties that widget.css builds on. The grounds are its two palest and darkest surfaces. */
export function palette(accent) {
  const base = parse(accent);
  const css = (rgb) => `rgb(${rgb.join(' ')})`;
  const onDark = readable(base, [40, 41, 44], WHITE);
  return {
    '--accent': css(base),
    '--on-accent': css(contrast(base, WHITE) >= ENOUGH ? WHITE : BLACK),
    '--accent-text': css(readable(base, [241, 239, 234], BLACK)),
    '--accent-text-dark': css(onDark),
  };
}
