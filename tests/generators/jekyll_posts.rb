# Print what Jekyll makes of a site as JSON: ruby jekyll_posts.rb SITE. It writes nothing.
require "jekyll"
require "json"

# Plugins and themes need not be installed: none of them decides what is asked for here.
def documents(folder, **options)
  asked = { source: folder, destination: "#{folder}/_site", quiet: true, disable_disk_cache: true, **options }
  config = Jekyll.configuration(asked.transform_keys(&:to_s))
  site = Jekyll::Site.new(config.merge("plugins" => [], "theme" => nil))
  site.reset
  site.read
  [site, site.documents]
end

# The date of a document that has none is the time of this run, that of a draft its file's.
def date(site, document)
  return "" if document.date.to_i == site.time.to_i || (document.draft? && document.date == document.source_file_mtime)

  instant(document.date)
end

# What Jekyll's filters of dates make of a value. Time#utc would change the document.
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
