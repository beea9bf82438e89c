// A song from afar: how many notes sound, how loud the recording is, and when.

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const TICK_PX = 72;
const RULER_PX = 20;
const BAR_PX = 3;
const GAP_PX = 1;

/**
 * Draw a song on a canvas, as wide as its place and as sharp as the screen.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} length_s What the width stands for.
 * @param {object} song `density` and `waveform`, each `{values, from_s, to_s}` or null.
 * @param {(seconds: number) => string} label
 */
export function drawSong(canvas, length_s, { density, waveform }, label) {
  const { width, height } = canvas.getBoundingClientRect();
  if (width === 0) return;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const pen = canvas.getContext("2d");
  pen.scale(devicePixelRatio, devicePixelRatio);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();

  const floor = height - RULER_PX;
  const perSecond = width / length_s;
  ruler(pen, { perSecond, length_s, width, floor, height }, style, label);
  if (density !== null) {
    const share = waveform === null ? 1 : 0.56;
    pen.fillStyle = colour("--accent");
    for (const [x, value] of columns(density, perSecond, width)) {
      const tall = Math.max(1, value * (floor * share - 8));
      pen.fillRect(x, floor * share - tall, BAR_PX - GAP_PX, tall);
    }
  }
  if (waveform !== null) {
    const middle = density === null ? floor / 2 : floor * 0.78;
    const half = Math.min(middle, floor - middle) - 3;
    pen.fillStyle = colour("--quiet");
    for (const [x, value] of columns(waveform, perSecond, width)) {
      const tall = Math.max(0.5, value * half);
      pen.fillRect(x, middle - tall, BAR_PX - GAP_PX, 2 * tall);
    }
  }
}

/** Bars: where each stands, and how high it is, 0 to 1. */
function* columns({ values, from_s, to_s }, perSecond, width) {
  const highest = Math.max(...values, 1e-9);
  const perValue = ((to_s - from_s) / values.length) * perSecond;
  const first = Math.max(0, Math.ceil((from_s * perSecond) / BAR_PX));
  const stop = Math.min(width, to_s * perSecond) / BAR_PX;
  for (let bar = first; bar < stop; bar += 1) {
    const begins = Math.floor((bar * BAR_PX - from_s * perSecond) / perValue);
    const ends = Math.ceil(((bar + 1) * BAR_PX - from_s * perSecond) / perValue);
    const among = values.slice(Math.max(0, begins), Math.max(begins + 1, ends));
    if (among.length > 0) yield [bar * BAR_PX, Math.max(...among) / highest];
  }
}

function ruler(pen, { perSecond, length_s, width, floor, height }, style, label) {
  const step_s = STEPS_S.find((each) => each * perSecond >= TICK_PX) ?? STEPS_S.at(-1);
  pen.font = `11px ${style.fontFamily}`;
  pen.textBaseline = "middle";
  for (let at_s = 0; at_s <= length_s; at_s += step_s) {
    const x = Math.round(at_s * perSecond);
    pen.fillStyle = style.getPropertyValue("--line").trim();
    pen.fillRect(x, 0, 1, floor + 5);
    const text = label(at_s);
    if (x + 4 + pen.measureText(text).width > width) continue;
    pen.fillStyle = style.getPropertyValue("--quiet").trim();
    pen.fillText(text, x + 4, floor + (height - floor) / 2 + 1);
  }
}
