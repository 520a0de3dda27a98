import type { OTLPKeyValue, OTLPValue } from '../api/otlp';

export type ValueType = 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'array' | 'map' | 'empty';

export function typeOf(v: OTLPValue | undefined): ValueType {
  if (!v) return 'empty';
  if (v.stringValue !== undefined) return 'string';
  if (v.intValue !== undefined) return 'int';
  if (v.doubleValue !== undefined) return 'double';
  if (v.boolValue !== undefined) return 'bool';
  if (v.bytesValue !== undefined) return 'bytes';
  if (v.arrayValue) return 'array';
  if (v.kvlistValue) return 'map';
  return 'empty';
}

/** The value as text: what is copied, searched and filtered by. */
export function textOf(v: OTLPValue | undefined): string {
  switch (typeOf(v)) {
    case 'string': return v!.stringValue!;
    case 'int': return String(v!.intValue);
    case 'double': return String(v!.doubleValue);
    case 'bool': return String(v!.boolValue);
    case 'bytes': return v!.bytesValue!;
    case 'array': return `[${(v!.arrayValue!.values ?? []).map(inner).join(', ')}]`;
    case 'map': return `{${(v!.kvlistValue!.values ?? []).map((kv) => `${JSON.stringify(kv.key)}: ${inner(kv.value)}`).join(', ')}}`;
    case 'empty': return '';
  }
}

/** A value within another: text in quotes, so that it cannot be mistaken. */
function inner(v: OTLPValue | undefined): string {
  const type = typeOf(v);
  if (type === 'empty') return 'null';
  return type === 'string' || type === 'bytes' ? JSON.stringify(textOf(v)) : textOf(v);
}

/** How many bytes a base64 text stands for. */
export const byteLength = (base64: string): number => Math.floor((base64.replace(/=+$/, '').length * 3) / 4);

/** The bytes of a base64 text in hexadecimal, at most limit of them. */
export function hexOf(base64: string, limit: number): string {
  let raw: string;
  try {
    raw = atob(base64);
  } catch {
    return '';
  }
  const hex = [...raw.slice(0, limit)].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0'));
  return hex.join(' ') + (raw.length > limit ? ' …' : '');
}

export const sortedByKey = (list: OTLPKeyValue[]): OTLPKeyValue[] => [...list].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
