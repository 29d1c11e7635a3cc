const { rss } = require("../feed.cjs");

module.exports = {
  data: {
    pagination: { data: "collections.feeds", size: 1, alias: "feed" },
    permalink: ({ feed }) => `${feed.folder}rss.xml`,
    eleventyExcludeFromCollections: true,
  },
  render: ({ feed }) => rss(feed),
};
