import { freeSlot, serviceColors, slotOfName } from '../model/colors';

// A service asks for the colour that its name gives. If another service has it
// the next free one is taken, and remembered, so that services stay apart and
// look the same on every page and at every visit.
const key = 'clew.services';

/** More names than this are not remembered. */
const most = 400;

const slots = new Map<string, number>(read());

function read(): [string, number][] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return Object.entries(kept as Record<string, number>).filter(([, s]) => Number.isInteger(s) && s >= 0 && s < serviceColors);
  } catch {
    return []; // storage is forbidden, or holds something else
  }
}

let writing = 0;

/** The slot of a service's colour, 0 to serviceColors-1. */
export function serviceSlot(name: string): number {
  const known = slots.get(name);
  if (known !== undefined) return known;
  if (slots.size >= most) return slotOfName(name);
  const slot = freeSlot(name, slots.values());
  slots.set(name, slot);
  writing ||= window.setTimeout(() => {
    writing = 0;
    try {
      localStorage.setItem(key, JSON.stringify(Object.fromEntries(slots)));
    } catch {
      // As above: the choice lasts as long as the page.
    }
  }, 500);
  return slot;
}

/** A CSS colour that follows the theme. */
export const serviceColor = (name: string): string => `var(--service-${serviceSlot(name)})`;
