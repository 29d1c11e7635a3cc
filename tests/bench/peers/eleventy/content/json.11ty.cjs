const { json } = require("../feed.cjs");

module.exports = {
  data: {
    pagination: { data: "collections.feeds", size: 1, alias: "feed" },
    permalink: ({ feed }) => `${feed.folder}feed.json`,
    eleventyExcludeFromCollections: true,
  },
  render: ({ feed }) => json(feed),
};
