const escaped = (text) =>
  String(text ?? "").replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]);
const site = "https://example.org/bench/";
const id = (item) => item.data.guid ?? "tag:example.org," + item.fileSlug;

const rss = (feed) => `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>${escaped(feed.name)}</title><link>${site}</link><description>${escaped(feed.name)}</description>
${feed.items.map((item) => `<item><title>${escaped(item.data.title)}</title>
<guid isPermaLink="false">${escaped(id(item))}</guid><pubDate>${item.date.toUTCString()}</pubDate>
${item.data.categories.map((name) => `<category>${escaped(name)}</category>`).join("")}
<content:encoded>${escaped(item.templateContent)}</content:encoded>
<media:thumbnail url="${escaped(item.data.thumbnail)}"/></item>`).join("\n")}
</channel></rss>
`;

const atom = (feed) => `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
<title>${escaped(feed.name)}</title><id>${site}${escaped(feed.folder)}</id>
<updated>${feed.items[0].date.toISOString()}</updated>
${feed.items.map((item) => `<entry><title>${escaped(item.data.title)}</title><id>${escaped(id(item))}</id>
<published>${item.date.toISOString()}</published><updated>${item.date.toISOString()}</updated>
<author><name>${escaped(item.data.author)}</name></author>
${item.data.categories.map((name) => `<category term="${escaped(name)}"/>`).join("")}
<content type="html">${escaped(item.templateContent)}</content>
<media:thumbnail url="${escaped(item.data.thumbnail)}"/></entry>`).join("\n")}
</feed>
`;

const json = (feed) => JSON.stringify({
  version: "https://jsonfeed.org/version/1.1",
  title: feed.name,
  items: feed.items.map((item) => ({
    id: id(item),
    title: item.data.title,
    date_published: item.date.toISOString(),
    authors: [{ name: item.data.author }],
    tags: item.data.categories,
    content_html: item.templateContent,
    image: item.data.thumbnail,
  })),
});

module.exports = { rss, atom, json };
