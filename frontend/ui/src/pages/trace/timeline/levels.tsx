import { IconButton } from '../../../components/icon-button';

interface Props {
  levels: number;
  all: number;
  disabled: boolean;
  onLevels: (n: number) => void;
}

/** How deep the tree is shown. */
export function Levels({ levels, all, disabled, onLevels }: Props) {
  return (
    <>
      <span>Service and operation</span>
      <span class="levels">
        <IconButton icon="fold" label="Fold all" disabled={disabled || levels <= 1} onClick={() => onLevels(1)} />
        <IconButton icon="minus" label="One level less" disabled={disabled || levels <= 1} onClick={() => onLevels(levels - 1)} />
        <span class="levels-now" title="Levels shown">{levels}<span> / {all}</span></span>
        <IconButton icon="plus" label="One level more" disabled={disabled || levels >= all} onClick={() => onLevels(levels + 1)} />
        <IconButton icon="unfold" label="Unfold all" disabled={disabled} onClick={() => onLevels(all)} />
      </span>
    </>
  );
}
