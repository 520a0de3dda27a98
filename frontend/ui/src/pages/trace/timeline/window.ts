/** The stretch of the trace that is shown, in nanoseconds since its start. */
export interface Window {
  from: number;
  to: number;
}

/** The least that can be shown: 100 ns, or what floating point can tell apart. */
const least = 100;

/** A window within the trace; at least wide enough to draw. */
export function clampWindow(from: number, to: number, duration: number): Window {
  const width = Math.min(duration, Math.max(to - from, Math.min(least, duration)));
  const start = Math.min(Math.max(0, from), duration - width);
  return { from: start, to: start + width };
}

/** Zooms around a moment; factor below 1 shows less. */
export function zoom(w: Window, at: number, factor: number, duration: number): Window {
  const from = at - (at - w.from) * factor;
  return clampWindow(from, from + (w.to - w.from) * factor, duration);
}

/** Moves by a share of what is shown. */
export const pan = (w: Window, share: number, duration: number): Window =>
  clampWindow(w.from + share * (w.to - w.from), w.to + share * (w.to - w.from), duration);

export const isWhole = (w: Window, duration: number): boolean => w.from <= 0 && w.to >= duration;
