interface Props<T extends string> {
  label: string;
  value: T;
  choices: { value: T; label: string; what?: string }[];
  onChange: (value: T) => void;
}

/** A choice of a few, all of them in sight. */
export function Segmented<T extends string>({ label, value, choices, onChange }: Props<T>) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {choices.map((c) => (
        <button type="button" key={c.value} aria-pressed={c.value === value} title={c.what}
          onClick={() => c.value !== value && onChange(c.value)}>{c.label}</button>
      ))}
    </div>
  );
}
