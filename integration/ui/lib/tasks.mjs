/** Runs something while the browser records, and says how long the longest task
 * of the page's main thread was, in milliseconds: of its own processor time, and
 * by the clock. On a busy machine the clock counts other programs' time, too. */
export async function longestTask(browser, page, run) {
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline', 'devtools.timeline'] });
  let result;
  let buffer;
  try {
    result = await run();
  } finally {
    buffer = await browser.stopTracing();
  }
  const events = JSON.parse(buffer.toString()).traceEvents;
  const mains = new Set(events.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((e) => `${e.pid} ${e.tid}`));
  const tasks = events.filter((e) => e.name === 'RunTask' && e.ph === 'X' && mains.has(`${e.pid} ${e.tid}`));
  if (tasks.length === 0) throw new Error('the browser recorded no tasks');
  const longest = (key) => Math.max(...tasks.map((e) => e[key] ?? 0)) / 1000;
  return { result, tasks: tasks.length, cpu: longest('tdur'), clock: longest('dur') };
}
