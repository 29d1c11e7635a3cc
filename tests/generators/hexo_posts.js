// Print what Hexo makes of a site as JSON: node hexo_posts.js SITE. It writes below SITE only.
"use strict";
const path = require("path");

async function main(folder) {
  const Hexo = require(path.join(folder, "node_modules", "hexo"));
  const hexo = new Hexo(folder, { silent: true });
  await hexo.init();
  await hexo.load();
  const published = new Set(hexo.locals.get("posts").map((post) => post.source));
  const posts = hexo.model("Post").map((post) => ({
    source: path.posix.join(hexo.config.source_dir, post.source),
    address: new URL(post.permalink).pathname,
    title: post.title,
    date: post.date.toISOString(),
    categories: post.categories.map((one) => fullName(hexo, one)),
    tags: post.tags.map((one) => one.name),
    published: published.has(post.source),
  }));
  await hexo.exit();
  process.stdout.write(JSON.stringify(posts));
}

// A category's name after those of its parents: A/B.
function fullName(hexo, category) {
  const parent = category.parent && hexo.model("Category").findById(category.parent);
  return parent ? `${fullName(hexo, parent)}/${category.name}` : category.name;
}

main(path.resolve(process.argv[2])).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
