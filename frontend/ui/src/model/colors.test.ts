import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { freeSlot, serviceColors, slotOfName } from './colors';

// The colours must be told apart by people who see fewer of them, and must
// stand out from the background. Distances are in OKLab, where 0.02 is about
// the least that is seen.
const css = readFileSync('src/styles/services.css', 'utf8');
const palettes = [...css.matchAll(/\/\* (light|dark|dark by the system) \*\/([^}]*)\}/g)].map((m) => ({
  theme: m[1],
  colors: [...m[2].matchAll(/--service-\d+: (#[0-9a-f]{6});/g)].map((c) => linear(c[1])),
}));

type Color = [number, number, number];

function linear(hex: string): Color {
  const part = (i: number): number => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function oklab([r, g, b]: Color): Color {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

// Machado, Oliveira and Fernandes 2009, severity 1.
const sight: Record<string, number[][]> = {
  'all colours': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const seen = (m: number[][], c: Color): Color =>
  m.map((r) => Math.min(1, Math.max(0, r[0] * c[0] + r[1] * c[1] + r[2] * c[2]))) as Color;

test('every theme has every colour', () => {
  assert.deepEqual(palettes.map((p) => p.theme), ['light', 'dark', 'dark by the system']);
  for (const p of palettes) assert.equal(p.colors.length, serviceColors);
  assert.deepEqual(palettes[2].colors, palettes[1].colors);
});

for (const { theme, colors } of palettes.slice(0, 2)) {
  for (const [name, m] of Object.entries(sight)) {
    test(`service colours differ: ${theme}, ${name}`, () => {
      const labs = colors.map((c) => oklab(seen(m, c)));
      for (let i = 0; i < labs.length; i++) {
        for (let j = 0; j < i; j++) {
          const d = Math.hypot(...labs[i].map((x, k) => x - labs[j][k]));
          assert.ok(d > (theme === 'light' ? 0.065 : 0.05), `colours ${j} and ${i} are ${d.toFixed(3)} apart`);
        }
      }
    });
  }
  test(`service colours stand out from the background: ${theme}`, () => {
    const luminance = ([r, g, b]: Color): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
    const ground = luminance(linear(theme === 'light' ? '#ffffff' : '#15181c'));
    colors.forEach((c, i) => {
      const [hi, lo] = [luminance(c), ground].sort((a, b) => b - a);
      const ratio = (hi + 0.05) / (lo + 0.05);
      assert.ok(ratio >= 2.7, `colour ${i} has a contrast of ${ratio.toFixed(2)}`);
    });
  });
}

test('slots are spread over names', () => {
  const counts = new Array<number>(serviceColors).fill(0);
  for (let i = 0; i < 1600; i++) counts[slotOfName(`service-${i}`)]++;
  assert.ok(Math.min(...counts) > 60 && Math.max(...counts) < 140, counts.join(' '));
});

test('services share a colour only when all are taken', () => {
  const taken: number[] = [];
  for (let i = 0; i < 3 * serviceColors; i++) {
    taken.push(freeSlot(`service-${i}`, taken));
    const users = Array.from({ length: serviceColors }, (_, s) => taken.filter((t) => t === s).length);
    assert.ok(Math.max(...users) - Math.min(...users) <= 1, users.join(' '));
  }
  assert.equal(freeSlot('cart', []), slotOfName('cart'));
});
