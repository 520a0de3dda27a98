import type { ComponentChildren } from 'preact';

/** What a control needs to belong to its field: spread it on the control. */
export interface FieldControl {
  id: string;
  'aria-invalid'?: true;
  'aria-describedby'?: string;
}

interface Props {
  id: string;
  label: string;
  error?: string;
  /** Said below the control when nothing is wrong. */
  hint?: ComponentChildren;
  /** Beside the label, at the end of its line. */
  aside?: ComponentChildren;
  children: (control: FieldControl) => ComponentChildren;
}

/** A control with its label, and below it what is wrong with it, in words. */
export function Field({ id, label, error, hint, aside, children }: Props) {
  const said = error || hint;
  return (
    <div class={`field ${error ? 'wrong' : ''}`}>
      <div class="field-head">
        <label for={id}>{label}</label>
        {aside}
      </div>
      {children({ id, 'aria-invalid': error ? true : undefined, 'aria-describedby': said ? id + '-said' : undefined })}
      {said && <p class="field-said" id={id + '-said'}>{said}</p>}
    </div>
  );
}
