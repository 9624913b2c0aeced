// What a visitor of the application sees: the same wherever it runs.

const answer = (request) =>
  new Promise((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      const parts = [];
      response.setEncoding('utf8').on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ response, text: parts.join('') })).on('error', reject);
    });
    request.end();
  });

/** By an agent of Node's shape: requests on one connection. */
async function visitKept(http, origin, tag) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const [first] = await Promise.all([1, 2, 3].map(() => answer(http.request(`${origin}/cookie`, { agent }))));
  const headers = { Cookie: 'seen=yes' };
  const again = http.request(`${origin}/cookie`, { agent, headers });
  const { text } = await answer(again);
  const fresh = await answer(http.request(origin, { agent, headers: { 'If-None-Match': tag } }));
  agent.destroy();
  return {
    cookie: first.response.headers['set-cookie'],
    text,
    reused: again.reusedSocket,
    fresh: fresh.response.statusCode,
  };
}

/**
 * @param fetch as the standard has it
 * @param http a module of the shape of `node:http`
 * @param origin where the application listens
 */
export async function visit(fetch, http, origin) {
  const seen = {};
  const ask = async (name, path, init) => {
    const response = await fetch(`${origin}${path}`, init);
    const { status, headers } = response;
    const text = await response.text();
    seen[name] = { status, type: headers.get('content-type'), text: text.length > 200 ? `${text.length} of it` : text };
    return headers;
  };
  const post = (type, body) => ({ method: 'POST', headers: { 'Content-Type': type }, body });
  const home = await ask('home', '/');
  seen.cors = home.get('access-control-allow-origin');
  seen.tagged = /^W\/"[0-9a-f]+-.{27}"$/.test(home.get('etag'));
  await ask('route', '/hello/w%C3%B6rld?a=1&a=2');
  await ask('json', '/echo', post('application/json', '{"a":[1,"ö"]}'));
  await ask('wrong json', '/echo', post('application/json', '{"a":'));
  await ask('form', '/echo', post('application/x-www-form-urlencoded', 'a=1&b=2+3'));
  const octets = {
    method: 'PUT',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: new Uint8Array(100_000),
  };
  await ask('octets', '/octets', octets);
  await ask('redirect', '/moved');
  const moved = await ask('redirect by hand', '/moved', { redirect: 'manual' });
  seen.location = moved.get('location');
  const zipped = await ask('compressed', '/large', { headers: { 'Accept-Encoding': 'gzip' } });
  seen.vary = zipped.get('vary');
  await ask('static', '/static/page.html');
  const part = await ask('part', '/static/page.html', { headers: { Range: 'bytes=0-14' } });
  seen.range = [part.get('content-range'), part.get('cache-control')];
  await ask('no file', '/static/none.html');
  await ask('piped', '/piped');
  await ask('parts', '/parts');
  await ask('head', '/large', { method: 'HEAD' });
  await ask('options', '/hello/you', { method: 'OPTIONS' });
  await ask('error', '/broken');
  await ask('late error', '/late');
  await ask('nowhere', '/nowhere');
  const many = await Promise.all(Array.from({ length: 8 }, (_, i) => fetch(`${origin}/hello/${i}`)));
  seen.many = (await Promise.all(many.map((response) => response.json()))).every(({ hello }, i) => hello === `${i}`);
  seen.kept = await visitKept(http, origin, home.get('etag'));
  return seen;
}
