import { useMemo } from 'preact/hooks';
import { serviceColor } from '../../../app/service-colors';
import { pairQuery } from '../../../model/find';
import { formatShare, plural } from '../../../model/format';
import { serviceShares, type Analysis } from '../analysis';

/** Which services took how much of the time; choosing one finds its spans. */
export function ServiceShares({ analysis, onFind }: { analysis: Analysis; onFind: (text: string) => void }) {
  const shares = useMemo(() => serviceShares(analysis), [analysis]);
  return (
    <div class="shares">
      <div class="shares-bar" aria-hidden="true">
        {shares.filter((s) => s.share > 0.002).map((s) => <i key={s.name} style={{ flexGrow: s.share, background: serviceColor(s.name) }} />)}
      </div>
      <ul aria-label="Services by own time">
        {shares.map((s) => (
          <li key={s.name}>
            <button type="button" title={`${s.name}: ${formatShare(s.share)} of own time, ${plural(s.spans, 'span')}`} onClick={() => onFind(pairQuery('service.name', s.name))}>
              <span class="swatch" style={{ background: serviceColor(s.name) }} />
              <span class="share-name">{s.name}</span>
              <span class="share">{formatShare(s.share)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
