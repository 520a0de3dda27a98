// Moments are microseconds since 1970, as in Jaeger's addresses; people read and
// write them in their own time zone.

const two = (n: number): string => String(n).padStart(2, '0');

/** The value of an <input type="datetime-local" step="1">. */
export function toLocalInput(micros: number): string {
  const d = new Date(micros / 1000);
  return `${String(d.getFullYear()).padStart(4, '0')}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** What such an input holds; null if it is empty or half filled in. */
export function fromLocalInput(value: string): number | null {
  const ms = value ? new Date(value).getTime() : NaN;
  return Number.isFinite(ms) && ms >= 0 ? ms * 1000 : null;
}

/** The zone that local times are in: "Europe/Berlin, UTC+1". */
export function zoneName(at = new Date()): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const min = -at.getTimezoneOffset();
  if (min === 0) return name && name !== 'UTC' ? `${name}, UTC` : 'UTC';
  const offset = `UTC${min < 0 ? '−' : '+'}${Math.floor(Math.abs(min) / 60)}${min % 60 ? ':' + two(Math.abs(min) % 60) : ''}`;
  return name ? `${name}, ${offset}` : offset;
}
