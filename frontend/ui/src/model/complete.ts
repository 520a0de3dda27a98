/** An entry that a field can be completed to. */
export interface Choice {
  value: string;
  /** Said beside it, in a quieter voice. */
  detail?: string;
}

/** The choices that fit what is typed: those that begin with it, then those with
 * a word that does, then those that hold it anywhere; each group in its order. */
export function complete(list: Choice[], typed: string): Choice[] {
  const want = typed.trim().toLowerCase();
  if (!want) return list;
  const groups: Choice[][] = [[], [], []];
  for (const c of list) {
    const have = c.value.toLowerCase();
    const i = have.indexOf(want);
    if (i < 0) continue;
    const atWord = i > 0 && wordStart(have, want);
    groups[i === 0 ? 0 : atWord ? 1 : 2].push(c);
  }
  return groups.flat();
}

function wordStart(have: string, want: string): boolean {
  for (let i = have.indexOf(want); i >= 0; i = have.indexOf(want, i + 1)) {
    if (i === 0 || /[^\p{L}\p{N}]/u.test(have[i - 1])) return true;
  }
  return false;
}
