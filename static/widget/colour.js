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

const BLACK = [16, 16, 18];
const WHITE = [255, 255, 255];

/** The first colour on the way through `stops` that can be read on `ground`. */
function readable(ground, ...stops) {
  for (let i = 1; i < stops.length; i += 1) {
    for (let share = 0; share < 1; share += 0.05) {
      const mixed = stops[i - 1].map((channel, c) => Math.round(channel + (stops[i][c] - channel) * share));
      if (contrast(mixed, ground) >= ENOUGH) return mixed;
    }
  }
  return stops.at(-1);
}

/** Bright, in its own hue; mixing with white alone would turn it grey. */
function bright(colour) {
  const scale = 255 / Math.max(...colour, 1);
  return colour.map((channel) => 0.7 * channel * scale + 0.3 * 255);
}

/** The custom properties that widget.css builds on. The grounds are its two palest and darkest surfaces. */
export function palette(accent) {
  const base = parse(accent);
  const css = (rgb) => `rgb(${rgb.join(' ')})`;
  return {
    '--accent': css(base),
    '--on-accent': css(contrast(base, WHITE) >= ENOUGH ? WHITE : BLACK),
    '--accent-text': css(readable([241, 239, 234], base, BLACK)),
    '--accent-text-dark': css(readable([46, 47, 51], base, bright(base), WHITE)),
  };
}
