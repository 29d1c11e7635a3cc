const { atom } = require("../feed.cjs");

module.exports = {
  data: {
    pagination: { data: "collections.feeds", size: 1, alias: "feed" },
    permalink: ({ feed }) => `${feed.folder}atom.xml`,
    eleventyExcludeFromCollections: true,
  },
  render: ({ feed }) => atom(feed),
};
