# Draws overbooking.svg from overbooking.csv.
set terminal svg size 900,520 font 'DejaVu Sans,13' background '#ffffff'
set output 'overbooking.svg'
set datafile separator comma
set title 'DRAM bytes, Tailors and Swiftiles over buffet and exact scan'
set xlabel 'buffer, KiB'
set logscale x 2
set xtics (64, 96, 128, 192, 256, 384, 512)
set yrange [0.84:1.12]
set grid ytics lc '#dddddd'
set border 3
set tics nomirror
set key outside right center
plot for [i=2:8] 'overbooking.csv' using 1:i with linespoints pt 7 ps 0.6 lw 1.5 title columnheader(i)
