// The category feeds (newest 50) and the site's own, as RSS, Atom and JSON; articles get no page of their own.
const LIMIT = 50;

export default function (config) {
  config.addGlobalData("permalink", () => false);
  config.addCollection("feeds", (api) => {
    const all = api.getAll().filter((item) => item.data.title).sort((a, b) => b.date - a.date);
    const shelves = new Map();
    for (const item of all) {
      for (const name of item.data.categories ?? []) {
        if (!shelves.has(name)) shelves.set(name, []);
        const shelf = shelves.get(name);
        if (shelf.length < LIMIT) shelf.push(item);
      }
    }
    const feeds = [...shelves].map(([name, items]) => ({ name, folder: `categories/${name}/`, items }));
    return [{ name: "Generated 生成", folder: "", items: all.slice(0, LIMIT) }, ...feeds];
  });
  return {
    dir: { input: "content", output: "public" },
    markdownTemplateEngine: false,
    htmlTemplateEngine: false,
    templateFormats: ["md", "11ty.js"],
  };
}
