/** What an answer lacks, as the header Clew-Completeness says. */
export interface Completeness {
  planned: number;
  failed: number;
  /** The server has just started and still reads its log. */
  replaying: boolean;
}

/** Reads "incomplete; planned=5; read=4; pruned=0; failed=1; replaying"; null
 * without a header, which is a complete answer. */
export function parseCompleteness(header: string | null): Completeness | null {
  if (!header) return null;
  const parts = header.split(';').map((p) => p.trim());
  const count = (name: string): number => {
    const p = parts.find((x) => x.startsWith(name + '='));
    return p ? Number(p.slice(name.length + 1)) || 0 : 0;
  };
  return { planned: count('planned'), failed: count('failed'), replaying: parts.includes('replaying') };
}

/** Says it to a person. */
export function incompleteText(c: Completeness): string {
  const parts: string[] = [];
  if (c.replaying) parts.push('the server has just started and is still reading its log, so recent spans may be missing');
  if (c.failed > 0) parts.push(`${c.failed} of ${c.planned} places where spans are kept could not be read`);
  if (parts.length === 0) parts.push('the server could not read everything');
  const text = parts.join('; ');
  return text[0].toUpperCase() + text.slice(1) + '.';
}
