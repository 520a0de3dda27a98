export interface Sort<K> {
  by: K;
  /** Largest first, or A to Z for text. */
  down: boolean;
}

/** Compares numbers or text. */
export function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
