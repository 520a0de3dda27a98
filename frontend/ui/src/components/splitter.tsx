import { useRef } from 'preact/hooks';

interface Props {
  label: string;
  /** Width in pixels of what lies on the given side. */
  value: number;
  min: number;
  max: number;
  side: 'left' | 'right';
  onChange: (value: number) => void;
}

/** A line between two parts that can be moved, with the mouse or arrow keys. */
export function Splitter({ label, value, min, max, side, onChange }: Props) {
  const from = useRef<{ x: number; value: number } | null>(null);
  const sign = side === 'left' ? 1 : -1;
  const set = (v: number): void => onChange(Math.round(Math.min(Math.max(v, min), Math.max(min, max))));
  return (
    <div class="splitter" role="separator" aria-orientation="vertical" aria-label={label} tabIndex={0}
      aria-valuenow={Math.round(value)} aria-valuemin={min} aria-valuemax={Math.round(Math.max(min, max))}
      onPointerDown={(e) => {
        e.preventDefault();
        e.currentTarget.setPointerCapture(e.pointerId);
        from.current = { x: e.clientX, value };
      }}
      onPointerMove={(e) => from.current && set(from.current.value + sign * (e.clientX - from.current.x))}
      onPointerUp={() => { from.current = null; }}
      onPointerCancel={() => { from.current = null; }}
      onKeyDown={(e) => {
        const step = { ArrowLeft: -16, ArrowRight: 16 }[e.key];
        if (step === undefined) return;
        e.preventDefault();
        e.stopPropagation();
        set(value + sign * step);
      }} />
  );
}
