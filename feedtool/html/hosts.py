"""Tables of hosts, paths and names of trackers, placeholder pictures, image proxies and link decorations."""

from __future__ import annotations

from feedtool.html.names import name_set

TRACKER_HOSTS = name_set(
    "2o7.net a8.net adnxs.com adsafeprotected.com adservice.google.com agkn.com amazon-adsystem.com"
    " analytics.google.com analytics.twitter.com api.gravatar.cat app.chartbeat.com appsflyer.com atdmt.com"
    " bat.bing.com bluekai.com cdn.viglink.com clicky.com clustrmaps.com cnzz.com"
    " count.knowsky.com counter.yadro.ru crwdcntrl.net ct.pinterest.com demdex.net"
    " doubleclick.net everesttech.net exelator.com feedburner.google.com feeds.feedburner.com/~r"
    " feeds.feedburner.com/~ff feeds.wordpress.com/1.0 flattr.com ga-beacon.appspot.com google-analytics.com"
    " googleadservices.com googlesyndication.com googletagmanager.com hm.baidu.com hits.blogsoft.org"
    " hit.gemius.pl imrworldwide.com irs01.com krxd.net list-manage.com/track log.mmstat.com m1.openx.net"
    " matomo.cloud mc.yandex.ru media6degrees.com miaozhen.com mixpanel.com mookie1.com moatads.com"
    " nakanohito.jp omtrdc.net onesignal.com outbrain.com/pixel parsely.com pi.pardot.com pixel.facebook.com"
    " pixel.rubiconproject.com pixel.wp.com pixel.mathtag.com plausible.io"
    " px.ads.linkedin.com quantcount.com quantserve.com rfihub.com rlcdn.com rss.nrc.nl/pixel"
    " s.click.aliexpress.com scorecardresearch.com secure.gaug.es segment.io"
    " sensic.net sharethis.com simpli.fi sitemeter.com smartadserver.com sp.analytics.yahoo.com statcounter.com"
    " stats.wordpress.com stats.wp.com taboola.com/pixel tapad.com tns-counter.ru top-fwz1.mail.ru toplist.cz"
    " tracker.feedly.com trk.email tynt.com vzaar.com/pixel webtrends.com webtrendslive.com wtp101.com xiti.com"
    " yieldmo.com zedo.com zqtk.net 51.la 51yes.com linezing.com tongji.baidu.com"
)
"""Each entry is a host, which includes its subdomains, or a host and the beginning of a path."""

TRACKER_PATHS = (
    "/__utm.gif",
    "/_pixel.gif",
    "/b/ss/",
    "/beacon.gif",
    "/cdn-cgi/trace",
    "/countpixel",
    "/g.gif",
    "/gtm.js",
    "/hit.gif",
    "/matomo.php",
    "/piwik.php",
    "/pixel.gif",
    "/pixel.png",
    "/tracking-pixel",
    "/trackingpixel",
    "/tr?id=",
    "/wf/open?",
    "/track/open",
    "/_/stat?event=post.clientviewed",
    "/count.gif",
    "/1x1.gif?",
)

PLACEHOLDER_HOSTS = name_set(
    "picsum.photos placeholder.com placehold.co placehold.it placehold.jp dummyimage.com"
    " placekitten.com placeimg.com placebear.com fakeimg.pl lorempixel.com loremflickr.com unsplash.it"
    " fpoimg.com placeholder.pics dummyimage.jp holder.js fillmurray.com placecage.com source.unsplash.com"
    " temp.im iph.href.lu"
)

PLACEHOLDER_NAMES = name_set(
    "1px 1x1 blank default-lazy grey-lazy img-placeholder lazyload lazy-load lazy_load lazyloading lazy-placeholder"
    " lazyload-ph loading loading-img nopic placeholder spacer transparent transparent1x1 loading_bg img_loading"
    " loading1 default_loading blank1x1 s_blank pixel-1x1 bg-lazy"
)
"""File names without extension of pictures shown until the real one is loaded (only gif, png, svg, jpg and webp)."""

PLAIN_NAMES = name_set("none clear dot dummy empty grey gray lazy load loader pixel space spaceball t trans holder")
"""Further such names that a photograph may have as well: they count only for gif and svg, the formats of spacers."""

EMOJI_PATHS = (
    "s.w.org/images/core/emoji/",
    "twemoji.maxcdn.com/",
    "/twemoji",
    "/emoji/",
    "/emojis/",
    "/smilies/",
    "/smileys/",
    "/images/smiley/",
    "emojione",
    "/expression/",
    "h5.sinaimg.cn/m/emoticon/",
    "face.t.sinajs.cn/",
    "/emoticons/",
    "res.wx.qq.com/mpres/htmledition/images/icon/common/emotion",
    "github.githubassets.com/images/icons/emoji/",
)

PROXY_PARAMETERS = {
    "wsrv.nl": "url",
    "images.weserv.nl": "url",
    "proxy.duckduckgo.com": "u",
    "external-content.duckduckgo.com": "u",
    "imageproxy.pimg.tw": "url",
    "image.baidu.com": "url",
}

LINK_DECORATIONS = name_set(
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid igshid igsh mc_cid mc_eid mkt_tok"
    " _hsenc _hsmi __hssc __hstc hsctatracking oly_anon_id oly_enc_id vero_id vero_conv wickedid spm scm"
    " _openstat rb_clickid s_cid ml_subscriber ml_subscriber_hash ns_campaign ns_mchannel ns_source ns_linkname"
    " at_campaign at_medium at_custom1 share_token sharer_shareid spm_id_from vd_source from_spmid share_source"
    " share_medium share_plat share_session_id share_tag share_times bbid unique_k weibo_id wfr xtor cmpid"
    " ref_src ref_url"
)
"""Query parameters that only tell where a visitor came from. `utm_*`, `pk_*` and `mtm_*` are removed as well."""

POOR_THUMBNAIL_WORDS = (
    "avatar",
    "gravatar.com",
    "emoji",
    "emoticon",
    "smiley",
    "smilies",
    "qrcode",
    "qr_code",
    "qr-code",
    "erweima",
    "ewm.",
    "wx_qr",
    "share_icon",
    "share-icon",
    "/icons/",
    "favicon",
    "logo.",
    "badge",
    "button",
    "ad_banner",
)
