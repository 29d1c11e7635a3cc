// Hexo has no generator of category feeds with a limit in its own packages; this is one, for the comparison.
const { rss, atom, json } = require("../feed.cjs");
const LIMIT = 50;

for (const name of Object.keys(hexo.extend.generator.list())) delete hexo.extend.generator.list()[name];

const item = (post) => ({
  date: post.date.toDate(),
  fileSlug: post.slug,
  templateContent: post.content,
  data: {
    title: post.title,
    guid: post.guid,
    author: post.author,
    thumbnail: post.thumbnail,
    categories: post.categories.map((category) => category.name),
  },
});

hexo.extend.generator.register("feeds", (locals) => {
  const newest = (posts) => posts.sort("-date").limit(LIMIT).map(item);
  const feeds = [
    { name: "Generated 生成", folder: "", items: newest(locals.posts) },
    ...locals.categories.map((one) => ({ name: one.name, folder: `categories/${one.slug}/`, items: newest(one.posts) })),
  ];
  return feeds.flatMap((feed) => [
    { path: feed.folder + "rss.xml", data: () => rss(feed) },
    { path: feed.folder + "atom.xml", data: () => atom(feed) },
    { path: feed.folder + "feed.json", data: () => json(feed) },
  ]);
});
