/** Holds the places of what is being loaded, at the sizes that it will have. */
export function Skeleton() {
  return (
    <section class="results" aria-label="Results" aria-busy="true">
      <div class="progress" />
      <div class="sr-only" role="status">Searching…</div>
      <div class="results-head"><span class="bone bone-title" /></div>
      <div class="scatter"><span class="bone bone-plot" /></div>
      <div class="trace-columns" />
      <div class="trace-list" aria-hidden="true">
        {[0, 1, 2, 3, 4, 5, 6, 7].map((i) => (
          <div class="trace-row" key={i}>
            <div class="trace-what"><span class={`bone bone-${i % 3}`} /><span class="bone bone-chips" /></div>
          </div>
        ))}
      </div>
    </section>
  );
}
