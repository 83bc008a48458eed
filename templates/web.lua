-- A web page counts its sections as the paper does: 1, 1a, 1b, 2, … and in the appendix A, A1, A2, B.
-- Quarto has numbered sections and references its own way before (1.1, 3.1).

local numbers = {}

local function number_header(header, counts, in_appendix)
  local content = header.content
  if content[1] and content[1].t == "Span" and content[1].classes:includes("header-section-number") then
    content:remove(1)
    content:remove(1) -- the space behind it
  end
  counts[header.level] = (counts[header.level] or 0) + 1
  for deeper = header.level + 1, 6 do counts[deeper] = 0 end
  if header.level > 2 then
    header.attributes.number = nil
    header.classes:insert("unnumbered")
    return
  end
  local number = in_appendix and string.char(64 + counts[1]) or tostring(counts[1])
  if header.level == 2 then
    number = number .. (in_appendix and tostring(counts[2]) or string.char(96 + counts[2]))
  end
  header.attributes.number = number
  numbers["#" .. header.identifier] = number
  content:insert(1, pandoc.Space())
  content:insert(1, pandoc.Span(number, pandoc.Attr("", { "header-section-number" })))
end

local function number_reference(link)
  local number = numbers[link.target]
  if not number or not link.classes:includes("quarto-xref") then return nil end
  return link:walk({ Str = function(str) return pandoc.Str((str.text:gsub("[%d.]+$", number))) end })
end

-- Course, title and who hands in, with logins, which Quarto's own block leaves out. A `template-partials` at the
-- top of _quarto.yml would reach LaTeX and Word, too, and stop them.

local function escaped(value)
  return (pandoc.utils.stringify(value):gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function title_block(meta)
  local lines = { '<header id="title-block-header">' }
  local function add(tag, class, value)
    if value then table.insert(lines, ('<%s class="%s">%s</%s>'):format(tag, class, escaped(value), tag)) end
  end
  add("p", "draft", meta["handin-draft"] and "Draft")
  add("p", "course", meta.handin and meta.handin.course)
  add("h1", "title", meta.title)
  add("p", "subtitle", meta.subtitle)
  table.insert(lines, '<p class="author">')
  for _, author in ipairs(meta["by-author"] or {}) do
    local login = author.metadata and author.metadata.login
    local shown = login and (' <span class="login">(%s)</span>'):format(escaped(login)) or ""
    table.insert(lines, "<span>" .. escaped(author.name.literal) .. shown .. "</span>")
  end
  table.insert(lines, "</p></header>")
  return pandoc.RawBlock("html", table.concat(lines, "\n"))
end

-- What is too wide for a phone scrolls by itself, also for those who have a keyboard only.

local function scroll_table(table)
  table.attributes.tabindex = "0"
  return table
end

local function scroll_formula(math)
  if math.mathtype ~= "DisplayMath" then return nil end
  return pandoc.Span({ math }, pandoc.Attr("", { "formula" }, { tabindex = "0" }))
end

function Pandoc(doc)
  if not FORMAT:match("html") then return nil end
  local counts, in_appendix = {}, false
  for _, block in ipairs(doc.blocks) do
    if block.t == "RawBlock" and block.text:match("#show:%s*appendix") then
      counts, in_appendix = {}, true
    elseif block.t == "Header" and not block.classes:includes("unnumbered") then
      number_header(block, counts, in_appendix)
    end
  end
  doc = doc:walk({ Link = number_reference, Table = scroll_table, Math = scroll_formula })
  local has_refs = false
  doc:walk({ Div = function(div) has_refs = has_refs or div.identifier == "refs" end })
  if not has_refs then doc.blocks:insert(pandoc.Div({}, pandoc.Attr("refs"))) end -- else they follow </main>
  doc.blocks:insert(1, pandoc.RawBlock("html", "<main>"))
  doc.blocks:insert(1, title_block(doc.meta))
  doc.meta.pagetitle, doc.meta.title = doc.meta.title, nil
  doc.blocks:insert(pandoc.RawBlock("html", "</main>"))
  return doc
end
