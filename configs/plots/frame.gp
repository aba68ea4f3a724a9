# Pieces of gnuplot scripts. A piece begins below a line of its name; {fields} are filled in (fmt's
# syntax: {x:.3f} formats, {{ and }} are braces).
## script
# {about}
# Reads {name}.csv beside this file; `gnuplot {name}.gp` draws {name}.svg and {name}.png.
set encoding utf8
set datafile separator comma
set datafile columnheaders
set border 3 lc rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid lc rgb '#DDDDDD' lw 1 lt 1
set key textcolor rgb '#222222' noautotitle
{settings}
{drawing}
## drawing
do for [file in 'svg png'] {{
  if (file eq 'svg') {{
    set terminal svg noenhanced size {width},{height} font 'DejaVu Sans,12' background rgb 'white'
  }} else {{
    if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {{
      set terminal pngcairo noenhanced size {width2},{height2} font 'DejaVu Sans,12' fontscale 2 linewidth 2 background rgb 'white'
    }} else {{
      set terminal png noenhanced size {width2},{height2} font 'DejaVu Sans,24' linewidth 2 background rgb 'white'
    }}
  }}
  set output '{name}.'.file
{plot}
  unset output
}}
