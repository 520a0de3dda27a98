import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress, writeAddress } from './search-address';
import { checkForm, emptyForm, formWords, type SearchForm } from './search-form';

const read = (query: string) => readAddress(new URLSearchParams(query));
const now = 1_700_000_000_000;

test('links of Jaeger', () => {
  const cases: [string, Partial<SearchForm>][] = [
    ['', {}],
    ['lookback=2d', { lookback: '2d' }],
    ['service=redis&lookback=1h&limit=20', { service: 'redis', limit: '20' }],
    // As Jaeger's form writes it: the moments are those of the search.
    ['end=1700000000000000&limit=20&lookback=1h&maxDuration&minDuration&operation=all&service=frontend&start=1699996400000000',
      { service: 'frontend', limit: '20', lookback: 'custom', start: 1_699_996_400_000_000, end: 1_700_000_000_000_000 }],
    ['service=driver&operation=%2Fdriver.DriverService%2FFindNearest&lookback=custom&start=1&end=2',
      { service: 'driver', operation: '/driver.DriverService/FindNearest', lookback: 'custom', start: 1, end: 2 }],
    ['service=a&tags=%7B%22error%22%3A%22true%22%2C%22user.id%22%3A%22a%20b%22%7D&minDuration=1.2s&maxDuration=3s',
      { service: 'a', tags: 'error=true user.id="a b"', minDuration: '1.2s', maxDuration: '3s' }],
    ['service=a&tag=error:true&tag=http.url:http://x', { service: 'a', tags: 'error=true http.url=http://x' }],
    ['service=-&lookback=custom', {}],
    ['end=7200000000&lookback=1h', { lookback: 'custom', start: 3_600_000_000, end: 7_200_000_000 }],
    ['start=5000000', { lookback: 'custom', start: 5_000_000 }],
    ['start=yesterday&end=', {}],
    ['service=a&sort=slowest&scale=linear', { service: 'a' }],
  ];
  for (const [query, want] of cases) assert.deepEqual(read(query).form, { ...emptyForm, ...want }, query);
});

test('links to traces', () => {
  const a = '0000000000000000463ac35c9f6413ad';
  const b = 'ffffffffffffffffffffffffffffffff';
  const got = read(`traceID=463ac35c9f6413ad&traceID=${b}&traceID=${a}&traceID=nonsense&span=0123%204567@${b}&span=@463ac35c9f6413ae`);
  assert.deepEqual(got.traceIDs, [a, b, '0000000000000000463ac35c9f6413ae']);
  assert.deepEqual(got.spans, { [b]: '0123 4567' });
});

test('addresses survive a round trip', () => {
  const forms: Partial<SearchForm>[] = [
    {},
    { service: 'a&b=c', operation: 'GET /x?y=1 ☃', tags: 'error=true user.id="a b"', minDuration: '1ms', maxDuration: '2s', limit: '7' },
    { lookback: 'custom', start: 1_699_996_400_123_456, end: 1_700_000_000_654_321 },
    { lookback: 'custom', start: 1_699_996_400_123_456 },
    { tags: 'half="written', minDuration: 'fast', limit: 'many', lookback: 'soon' },
  ];
  for (const f of forms) {
    for (const sort of ['newest', 'slowest'] as const) {
      for (const scale of ['log', 'linear'] as const) {
        const form = { ...emptyForm, ...f };
        const text = writeAddress(form, { sort, scale }).toString();
        assert.deepEqual(read(text), { form, sort, scale, traceIDs: [], spans: {} }, text);
        assert.equal(writeAddress(read(text).form, { sort, scale }).toString(), text);
      }
    }
  }
});

test('Jaeger reads what is written', () => {
  const p = writeAddress({ ...emptyForm, service: 'a', tags: 'error=true', lookback: 'custom', start: 1, end: 2 });
  assert.equal(p.toString(), 'service=a&tags=%7B%22error%22%3A%22true%22%7D&lookback=custom&start=1&end=2&limit=100');
});

test('a form is checked', () => {
  const cases: [Partial<SearchForm>, string, RegExp][] = [
    [{ minDuration: '5' }, 'minDuration', /^Add a unit: 5ms or 5s/],
    [{ maxDuration: 'fast' }, 'maxDuration', /such as 1\.2s/],
    [{ minDuration: '2s', maxDuration: '1s' }, 'maxDuration', /less than the minimum/],
    [{ tags: 'error' }, 'tags', /no value/],
    [{ limit: '0' }, 'limit', /whole number/],
    [{ limit: '1.5' }, 'limit', /whole number/],
    [{ lookback: 'soon' }, 'lookback', /no time range/],
    [{ lookback: 'custom', start: 5e15, end: 4e15 }, 'start', /future/],
    [{ lookback: 'custom', start: 1e15, end: 1e15 }, 'end', /not after/],
  ];
  for (const [f, field, want] of cases) {
    const { errors } = checkForm({ ...emptyForm, ...f }, now);
    assert.deepEqual(Object.keys(errors ?? {}), [field], JSON.stringify(f));
    assert.match(Object.values(errors!)[0], want);
  }
});

test('what is asked of the API', () => {
  assert.deepEqual(checkForm({ ...emptyForm, service: ' a ', tags: 'x=1', minDuration: '1 ms', lookback: '1h' }, now).query, {
    service: 'a', operation: '', attributes: { x: '1' }, startMin: now - 3600e3, startMax: now, durationMin: '1ms', durationMax: '', limit: 100,
  });
  const fixed = checkForm({ ...emptyForm, lookback: 'custom', start: 1_600_000_000_000_999, end: 1_600_000_001_000_001 }, now).query!;
  assert.deepEqual([fixed.startMin, fixed.startMax], [1_600_000_000_000, 1_600_000_001_000]);
});

test('a search in words', () => {
  assert.equal(formWords(emptyForm), 'all services, last hour');
  assert.equal(formWords({ ...emptyForm, service: 'a', operation: 'GET', tags: 'error=true', minDuration: '1s', lookback: '15m' }),
    'service a, operation GET, error=true, at least 1s, last 15 minutes');
});
