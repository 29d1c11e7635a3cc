// Print the posts that Hexo reads from a site as JSON: node hexo_posts.js SITE. It writes below SITE only.
"use strict";
const fs = require("fs");
const path = require("path");

async function main(folder) {
  const Hexo = require(path.join(folder, "node_modules", "hexo"));
  const hexo = new Hexo(folder, { silent: true });
  await hexo.init();
  await hexo.load();
  const published = new Set(hexo.locals.get("posts").map((post) => post.source));
  const posts = hexo.model("Post").map((post) => {
    // Without a date in the file, Hexo uses the birth time and the modification time of the file.
    const { birthtimeMs, mtimeMs } = fs.statSync(post.full_source);
    const date = instant(post.date, birthtimeMs);
    return {
      source: path.posix.join(hexo.config.source_dir, post.source),
      address: date && new URL(post.permalink).pathname,
      title: post.title,
      date,
      updated: instant(post.updated, mtimeMs),
      categories: post.categories.map((one) => fullName(hexo, one)),
      tags: post.tags.map((one) => one.name),
      published: published.has(post.source),
    };
  });
  await hexo.exit();
  process.stdout.write(JSON.stringify(posts));
}

function instant(moment, unless) {
  return moment && Math.abs(moment.valueOf() - unless) > 2 ? moment.toISOString() : "";
}

// Return the name of a category after the names of its parents: A/B.
function fullName(hexo, category) {
  const parent = category.parent && hexo.model("Category").findById(category.parent);
  return parent ? `${fullName(hexo, parent)}/${category.name}` : category.name;
}

main(path.resolve(process.argv[2])).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
