# Print the posts that Jekyll reads from a site as JSON: ruby jekyll_posts.rb SITE. It writes nothing.
require "jekyll"
require "json"

# Plugins and themes need not be installed: they do not change the printed values.
def documents(folder, **options)
options = { source: folder, destination: "#{folder}/_site", quiet: true, disable_disk_cache: true, **options }
  config = Jekyll.configuration(options.transform_keys(&:to_s))
  site = Jekyll::Site.new(config.merge("plugins" => [], "theme" => nil))
  site.reset
  site.read
  [site, site.documents]
end

# A document without a date has the time of this run, a draft the time of its file.
def date(site, document)
  return "" if document.date.to_i == site.time.to_i || (document.draft? && document.date == document.source_file_mtime)

  instant(document.date)
end

# Return a value as the date filters of Jekyll do. Time#utc would change the document.
def instant(value)
  return "" if value.nil?

  time = value.is_a?(Date) ? value.to_time : Jekyll::Utils.parse_date(value.to_s)
  (value.is_a?(Time) ? value : time).getutc.strftime("%Y-%m-%dT%H:%M:%S.%LZ")
end

folder = File.expand_path(ARGV[0])
published = documents(folder).last.map(&:relative_path)
site, all = documents(folder, unpublished: true, future: true, show_drafts: true)
posts = all.map do |one|
  { source: one.relative_path, address: site.config["baseurl"].to_s.chomp("/") + one.url, title: one.data["title"].to_s,
    date: date(site, one), updated: instant(one.data["last_modified_at"]),
    categories: Array(one.data["categories"]).map(&:to_s), tags: Array(one.data["tags"]).map(&:to_s),
    published: published.include?(one.relative_path) }
end
puts JSON.generate(posts)
