/** Round moments between from and to, at most max of them, and the step that
 * they are apart. */
export function ticks(from: number, to: number, max: number): { at: number[]; step: number } {
  const span = to - from;
  if (!(span > 0) || max < 1) return { at: [], step: 0 };
  const rough = span / max;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  const at: number[] = [];
  for (let k = Math.ceil(from / step); k * step <= to; k++) at.push(k * step);
  return { at, step };
}

const units: [number, string][] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];

/** A tick's label: the unit fits the step, so that neighbours are comparable. */
export function tickLabel(at: number, step: number, to: number): string {
  if (at === 0) return '0';
  const [size, unit] = units.find(([s]) => to >= s) ?? [1, 'ns'];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  return `${(at / size).toFixed(Math.min(9, digits))} ${unit}`;
}
