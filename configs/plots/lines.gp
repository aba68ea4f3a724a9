# Curves over runs.
## settings
set title {title} font ',13' textcolor rgb '#222222'
set xlabel {x}
set ylabel {y}
set key outside below center vertical maxcols 1 Left reverse samplen 2.5 spacing 1.25 height 1
set rmargin 4
{more}
## occupancy_settings
set logscale x 10
set xrange [*<0.7:1.4<*]
set yrange [0:100]
# Right of this line a tile holds more than its share of the buffer.
set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead lw 1.5 dt 1 lc rgb '#444444'
set label 1 'buffer full' at first 1, graph 0.04 rotate by 90 left offset 0.9,0 textcolor rgb '#444444'
## occupancy
'occupancy.csv' using (column('series') == {series} ? column('occupancy_over_share') : NaN):(100*column('quantile')) with lines lw 2 dt {dash} lc rgb {color} title {title}
## pe_load_settings
set xrange [0:100]
set yrange [0:100]
## pe_load_points
'pe_load.csv' using (column('machine_index') == {run} ? 100.0*(column('rank')-1)/column('pes') : NaN):(100*column('busy_fraction'))
## pe_load
{points} with steps lw 2 lc rgb {color} title {title}, \
       {points}:(100.0/{pes}):(0) with vectors nohead lw 2 lc rgb {color}
