// The script of the detector: open frames, put HTML into them, and find markup that would run.

const HOME = location.href;
const RUNS = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'file:', 'filesystem:', 'view-source:']);
const ADDRESSES = ['href', 'src', 'xlink:href', 'data', 'poster', 'cite', 'background', 'longdesc', 'codebase', 'value', 'to', 'from', 'values'];
const NEVER = ['srcdoc', 'formaction', 'action', 'ping', 'style', 'autofocus', 'contenteditable', 'manifest', 'http-equiv', 'is', 'slot',
  'popover', 'popovertarget', 'accesskey', 'usemap', 'nonce', 'dynsrc', 'lowsrc', 'xml:base', 'attributename'];
const ATTRIBUTES = Object.getOwnPropertyDescriptor(Element.prototype, 'attributes').get;
const ASKED = new Set(['href', 'src', 'poster', 'cite', 'data', 'background', 'srcset']);
const CLOBBERS = ['id', 'name'];
const FORBIDDEN = new Set(`script style link meta base form input button select option textarea label fieldset iframe frame frameset object embed
  applet param template noscript noembed noframes xmp plaintext listing title head portal dialog slot canvas keygen marquee bgsound
  layer ilayer math svg image animate set foreignobject annotation-xml`.split(/\s+/));
const HTML = 'http://www.w3.org/1999/xhtml';
const CHROME = 'head > meta[charset], head > meta[name], head > meta[property], head > meta[http-equiv="Content-Security-Policy"], ' +
  'head > title, head > link[rel=canonical], head > link[rel=alternate], head > link[rel=icon], head > link[rel=stylesheet], ' +
  'figure.chart svg, figure.chart svg *';

function once(target, name, limit = 20000) {
  return new Promise((resolve) => {
    target.addEventListener(name, resolve, { once: true });
    setTimeout(resolve, limit);
  });
}

async function opened(address) {
  const frame = document.createElement('iframe');
  frame.width = frame.height = 300;
  const loaded = once(frame, 'load');
  frame.src = address;
  document.body.append(frame);
  await loaded;
  return frame;
}

async function open_frames(addresses) {
  await Promise.all(addresses.map(opened));
  return [];
}

function parsed_twice(content) {
  let text = content;
  for (let round = 0; round < 2; round++) {
    const page = new DOMParser().parseFromString(text, 'text/html');
    text = page.body.innerHTML;
    const holder = document.implementation.createHTMLDocument('').createElement('div');
    holder.innerHTML = text;
    text = holder.innerHTML;
    // Some readers store cleaned content as XML, and read it as HTML again.
    text = [...holder.childNodes].map((node) => new XMLSerializer().serializeToString(node)).join('');
  }
  return text;
}

async function put(contents, how, start) {
  if (how === 'innerHTML' || how === 'again') {
    const page = (await opened(HOME)).contentDocument;
    contents.forEach((content, number) => {
      // Elements of the page may have the names of methods of the document.
      const place = document.createElement('div');
      place.dataset.vector = start + number;
      page.documentElement.lastElementChild.append(place);
      place.innerHTML = how === 'again' ? parsed_twice(content) : content;
    });
    return [];
  }
  await Promise.all(contents.map(async (content, number) => {
    const frame = document.createElement('iframe');
    frame.dataset.vector = start + number;
    const loaded = once(frame, 'load');
    if (how === 'srcdoc') frame.srcdoc = content;
    document.body.append(frame);
    if (how === 'write') {
      const page = frame.contentDocument;
      page.open();
      page.write(content);
      page.close();
    } else {
      await loaded;
    }
  }));
  return [];
}

async function settled() {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setTimeout(resolve, 10));
  return true;
}

function pages() {
  const found = [];
  const pending = [...document.querySelectorAll('iframe')];
  while (pending.length) {
    const frame = pending.pop();
    let page = null;
    try { page = frame.contentDocument; } catch { /* another origin: its navigation is an alarm already */ }
    if (!page) continue;
    found.push([frame, page]);
    pending.push(...Document.prototype.querySelectorAll.call(page, 'iframe'));
  }
  return found;
}

function look() {
  const found = [];
  for (const [frame, page] of pages()) {
    const ours = page.location.pathname !== new URL(HOME).pathname && page.location.protocol.startsWith('http');
    for (const element of Document.prototype.querySelectorAll.call(page, '*')) {
      const alone = page.contentType === 'text/html' || page.contentType === 'application/json';
      const place = element.closest('[data-vector]') || (frame.dataset.vector ? frame : null);
      const where = place ? `vector ${place.dataset.vector}` : page.location.href;
      const chrome = ours && !element.closest('.prose');
      const held = place !== null && element !== place;
      for (const what of judged(element, { chrome, alone, held, implied: implied(element, page) })) found.push([where, what]);
    }
  }
  return found;
}

// The elements that a parser creates for any document.
function implied(element, page) {
  return element === page.documentElement || element === page.head || element === page.body;
}

function* judged(element, { chrome, alone, held, implied }) {
  const name = element.localName.toLowerCase();
  if (alone && !implied && FORBIDDEN.has(name) && !(chrome && element.matches(CHROME))) yield `element ${name}`;
  if (alone && element.namespaceURI !== HTML && !(chrome && element.matches(CHROME))) yield `element ${name} of ${element.namespaceURI}`;
  // The banner of a feed: a line, a link, and a width.
  const banner = ['div', 'a'].includes(name) || (name === 'meta' && element.getAttribute('name') === 'viewport' && element.attributes.length === 2);
  if (!alone && element.namespaceURI === HTML && !banner) yield `element ${name} in XML`;
  if (!alone && /svg|Math/.test(element.namespaceURI || '')) yield `element ${name} in XML`;
  // Elements in a form shadow its properties of the same name.
  for (const attribute of ATTRIBUTES.call(element)) {
    const key = attribute.name.toLowerCase();
    const here = `${name} ${key}="${attribute.value.slice(0, 120)}"`;
    if (key.startsWith('on')) yield here;
    if (alone && NEVER.includes(key) && !(chrome && element.matches(CHROME))) yield here;
    if (alone && CLOBBERS.includes(key) && !chrome) yield here;
    if (ADDRESSES.includes(key) && RUNS.has(protocol(attribute.value)) && !(chrome && element.matches('link[rel=icon]'))) yield here;
    // A relative address would be requested from the reader's own server, with the user's cookies.
    if (held && ASKED.has(key) && !('id' in (element.dataset || {})) && !/^(https?:\/\/|mailto:|tel:)/i.test(attribute.value)) yield `relative ${here}`;
    if (key === 'srcset' && attribute.value.split(/[\s,]+/).some((part) => RUNS.has(protocol(part)))) yield here;
  }
}

function protocol(value) {
  try { return new URL(value, 'http://base.invalid/').protocol; } catch { return ''; }
}
