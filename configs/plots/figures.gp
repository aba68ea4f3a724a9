# Figures over several runs, each its own table.
## curve
'{file}' using (column('series') == {series} ? {x} : NaN):(column('{column}')) with linespoints pt {point} ps 0.8 lw 1.5 lc rgb {color} title {title}
## sweep_settings
set logscale y 2
set grid
set xtics ({tics}) rotate by -45 font ',9'
set xrange [0.5:12.5]

## sweep
  set multiplot layout 1,3 title 'A and B sparsity (%), over the dense tensor core'
  set ylabel 'latency'
  unset key
  plot {latency}
  set ylabel 'energy'
  set key bottom left samplen 1.5 font ',10'
  plot {energy}
  set ylabel 'energy x delay'
  unset key
  plot {edp}
  unset multiplot
## rows_settings
set grid
set xlabel 'row of the table'
set key top right
## rows
  set multiplot layout 2,{series} title {title}
{panels}  unset multiplot
## rows_values
  set ylabel {quantity}
  unset yrange
  plot '{file}' using (column('series') == {series} ? column('row') : NaN):(column('published')) with points pt 6 ps 1.3 lw 1.5 lc rgb '#444444' title 'published', \
       '{file}' using (column('series') == {series} ? column('row') : NaN):(column('simulated')) with points pt 2 ps 0.9 lw 1.5 lc rgb {color} title 'simulated'

## rows_errors
  set ylabel 'error (%)'
  plot '{file}' using (column('series') == {series} ? column('row') : NaN):(column('error_percent')) with impulses lw 3 lc rgb {color} notitle

## ablation_settings
set grid y
set bmargin 4.5
set xtics ({tics}) scale 0 font ',9'
set yrange [0:*]
set xrange [0.4:{cases}.6]
set key outside right center Left reverse samplen 1 width -2
## ablation
  set multiplot layout 3,1
  set ylabel 'cycles over none'
  plot {cycles}
  set ylabel 'traffic over none'
  plot {traffic}
  set ylabel 'energy over none'
  plot {energy}
  unset multiplot
## ablation_boxes
'ablation.csv' using (column('setting') == {setting} ? column('case') + {offset} : NaN):(column('{column}')):(0.1) with boxes fs solid 1 noborder lc rgb {color} title {title}
## token_tiles_settings
set grid
set logscale xy 2
set format y '%.1s %c'
set xlabel 'tokens of the step'
set key top left
## token_tiles
  set multiplot layout 1,2
  set ylabel 'dram_bytes of expert_gate'
  plot {dram_bytes}
  set ylabel 'cycles of expert_gate'
  plot {cycles}
  unset multiplot
## token_tiles_points
'token-tiles.csv' using (column('series') == {series} && strcol('operation') eq 'expert_gate' ? column('tokens') : NaN):(column('{column}')) with points pt {point} ps 1.4 lw 2 lc rgb {color} title {title}
## attention_forms_settings
set grid
set logscale xy 2
set format y '%.1s %c'
set format x '%.0s%c'
set key top left
## attention_forms
  set multiplot layout 1,3
  set xlabel 'queries'
  set ylabel 'flops'
  plot {flops}
  set xlabel 'queries'
  set ylabel 'cycles'
  plot {cycles}
  set xlabel 'context'
  set ylabel 'cycles'
  plot {sparse}
  unset multiplot
## attention_forms_curve
'attention-forms.csv' using (column('series') == {series} ? column('{x}') : NaN):(column('{y}')) with linespoints pt {point} lw 2 lc rgb {color} title '{title}'
## overbooking_ratios_settings
set logscale x 2
set logscale y 10
set xlabel 'Last-level buffer (KiB)'
set xtics rotate by -45
set key outside below center horizontal
## overbooking_ratios
  set multiplot layout 1,3
  set title 'Speed, times better'
  plot {speed}
  set title 'Off-chip traffic, times better'
  plot {traffic}
  set title 'Energy, times better'
  plot {energy}
  unset multiplot
## overbooking_ratio
'overbooking_ratios.csv' using (column('pair') == {pair} ? column('capacity_bytes')/1024 : NaN):'{column}' with linespoints lw 2 pt 7 ps 0.6 lc rgb {color} title '{title}'
## overbooking_share_settings
set logscale x 10
set yrange [0:*]
set xlabel 'Tiles of B (log scale)'
set ylabel 'Overbooked tiles (%)'
set key outside below center
## overbooking_share
  plot 'overbooking.csv' using (strcol('contender') eq 'OB' && column('tiles') > 0 && column('whole_tensor') == 0 && column('one_microtile') == 0 ? column('tiles') : NaN):(100*column('overbooked_fraction')) with points pt 7 ps 0.7 lc rgb {color} title 'one matrix at one capacity', \
       {asked:g} lw 2 lc rgb '#444444' title 'asked for'
## dial_settings
set logscale x 2
set offsets graph 0.04, graph 0.04, graph 0.05, graph 0.05
set xtics ({tics})
set xlabel 'share of inactive experts'

## dial
  set multiplot layout 1,2 title {title}
  set ylabel 'pre-training loss'
  unset logscale y
  unset key
  plot {loss}
  set ylabel {over}
  set logscale y 2
  set key top left Left reverse
  plot {curves}
  unset multiplot
## dial_curve
'dial.csv' using ($2/$3):(${column}/{over:.9g}) with linespoints pt 7 ps 0.7 lw 2 lc rgb {color} title '{title}'
## tile_occupancy
# gnuplot tile_occupancy.gp
set terminal pngcairo size 960,600 font 'DejaVu Sans,12'
set output 'tile_occupancy.png'
set title {title} noenhanced
set xlabel 'tile occupancy / share of the buffer'
set ylabel 'share of tiles'
set logscale x
set yrange [0:1.02]
set grid
set key outside top center horizontal
set arrow 1 from 1, graph 0 to 1, graph 1 nohead dt 2 lc rgb '#555555'
set label 1 'buffer full' at 1, graph 0.04 offset 0.5,0
plot {curves}
set terminal svg size 960,600 font 'DejaVu Sans,12'
set output 'tile_occupancy.svg'
replot
## tile_occupancy_curve
'tile_occupancy.dat' index {strategy} using 1:2 with steps lw 2 lc rgb '{color}' title '{title}'
