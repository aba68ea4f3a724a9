# Who an expert serves: loads, imbalance, distinct experts.
## script
# Reads the tables beside it: gnuplot {name}.gp draws {name}.svg and {name}.png
set encoding utf8
set datafile separator ','
set key outside right top
{settings}
{drawing}
## loads_settings
set title 'Assignments per expert over the mean'
set xlabel 'expert'
set ylabel 'layer'
set ytics ({tics})
set xrange [-0.5:{last_expert}.5]
set yrange [-0.5:{last_layer}.5]
set cbrange [0:{most:.3f}]
set palette defined (0 '#2166ac', 1 '#ffffff', {most:.3f} '#b2182b')
## loads
  plot 'routing_loads.csv' skip 1 using 2:(int($0/{experts})):4 with image notitle
## imbalance_settings
set title 'Imbalance of experts'
set xlabel 'layer'
set ylabel 'max / mean'
set y2label 'normalised entropy (1 is even)'
set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05
set ytics nomirror
set y2tics
## imbalance
  plot 'routing_layers.csv' skip 1 using 1:6 with linespoints pt 7 title 'max / mean', \
       '' skip 1 using 1:8 axes x1y2 with linespoints pt 5 title 'entropy'
## distinct_settings
set title 'Distinct experts of a step'
set xlabel 'tokens in the step'
set ylabel 'distinct experts'
set cblabel 'layer'
set palette defined (0 '#2166ac', 1 '#1a9850', 2 '#d73027')
set logscale x
set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05
## distinct
  plot 'routing_steps.csv' skip 1 using 3:4:2 with points pt 7 ps 0.4 lc palette title 'recorded', \
       '' skip 1 using 3:5 with points pt 1 lc rgb 'black' title 'uniform'
