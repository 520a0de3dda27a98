import type { RefObject } from 'preact';
import { Icon } from '../../components/icon';
import { IconButton } from '../../components/icon-button';
import { groupDigits } from '../../model/format';
import type { Find } from './use-find';

interface Props {
  find: Find;
  input: RefObject<HTMLInputElement | null>;
  /** Position of the selected span among those found, -1 if it is not. */
  position: number;
  only: boolean;
  onOnly: (only: boolean) => void;
  onStep: (by: 1 | -1) => void;
  /** Gives the keyboard back to the spans. */
  onLeave: () => void;
}

/** Finds in the trace. Enter goes to the next span, with Shift to the one before. */
export function FindBar({ find, input, position, only, onOnly, onStep, onLeave }: Props) {
  const n = find.found.length;
  const looking = find.marked !== null;
  const keydown = (e: KeyboardEvent): void => {
    if (e.key === 'Enter') onStep(e.shiftKey ? -1 : 1);
    else if (e.key === 'Escape') {
      if (find.text) find.setText('');
      onLeave();
    } else return;
    e.preventDefault();
  };
  return (
    <div class="find" role="search" aria-label="Find in trace">
      <Icon name="search" />
      <input ref={input} type="text" value={find.text} placeholder="Find: name, key=value, span ID" aria-label="Find in trace"
        spellcheck={false} autocomplete="off" onInput={(e) => find.setText(e.currentTarget.value)} onKeyDown={keydown} />
      {looking ? (
        <>
          <span class={`find-count ${n === 0 && !find.busy ? 'none' : ''}`}>
            {find.busy ? '…' : n === 0 ? 'None' : `${position >= 0 ? groupDigits(position + 1) + ' of ' : ''}${groupDigits(n)}`}
          </span>
          <IconButton icon="up" label="Previous match" disabled={n === 0} onClick={() => onStep(-1)} />
          <IconButton icon="down" label="Next match" disabled={n === 0} onClick={() => onStep(1)} />
          <IconButton icon="filter" label="Show only matches" disabled={n === 0} aria-pressed={only} onClick={() => onOnly(!only)} />
          <IconButton icon="close" label="Clear" onClick={() => find.setText('')} />
        </>
      ) : <kbd aria-hidden="true">/</kbd>}
    </div>
  );
}
