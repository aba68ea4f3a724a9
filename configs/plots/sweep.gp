# A sweep: its front, what each axis does, two axes as a map, all axes side by side.
## heading
set title {title} font ',13' textcolor rgb '#222222'
set datafile separator ','
set key outside below center maxcols 3 Left reverse samplen 1.5 spacing 1.25

## log_range
set logscale {axis}
set {axis}range [{least}:{most}]

## range
set {axis}range [{least}:{most}]

## front_settings
set xlabel {x}
set ylabel {y}
set format x '%.3g'
set format y '%.3g'

## front_points
'points.csv' using ((strcol('machine') eq {machine} && column('holds') == 1) ? column('objective_1') : NaN):(column('objective_2')) with points pt {point} ps 0.8 lc rgb {color} title {title}
## front
'front.csv' using (column('objective_1')):(column('objective_2')) with points pt 6 ps 1.4 lw 1.4 lc rgb '#222222' title 'front'
## sensitivity_settings
set logscale x 2
set xlabel 'mean of its least and its largest step'
set format x '%.3g'
set ytics ({tics})
set yrange [{last}:-0.6]
unset key
set grid x
set style fill solid 0.85
set lmargin 34

## sensitivity
'sensitivity.csv' using (column('least')):($0):(column('least')):(column('most')):($0-0.32):($0+0.32):(column('objective')) with boxxyerror lc variable
## heat_settings
set xlabel {x}
set ylabel {y}
set xtics ({xtics}) rotate by -30
set ytics ({ytics})
set xrange [-0.5:{right}]
set yrange [-0.5:{top}]
set logscale cb
set format cb '%.3g'
set palette defined (0 '#fff7ec', 0.5 '#fc8d59', 1 '#7f0000')
unset key

## heat
'heat.csv' using (column('column')):(column('row')):(column('mean')) with image pixels
## parallel_settings
set xtics ({tics}) rotate by -25
set xrange [-0.2:{right}]
set yrange [-0.03:1.03]
set ytics ('least' 0, 'largest' 1)
set grid x

## parallel_others
'parallel.csv' using (column('front') == 0 ? column('place') : NaN):(column('value')) with lines lw 0.5 lc rgb '#c8c8c8' title 'points that hold'
## parallel_front
'' using (column('front') == 1 ? column('place') : NaN):(column('value')) with lines lw 1.6 lc rgb '#d55e00' title 'front'
