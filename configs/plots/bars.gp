# Stacked horizontal bars, one per run.
## settings
set title {title} font ',13' textcolor rgb '#222222'
set xlabel {axis}
set yrange [{last}.6:0.4]
set ytics ({tics}) scale 0
set grid x noy
set xrange [0:{high}]
set xtics autofreq
set key outside right top vertical maxcols 1 Left reverse samplen 1.2 spacing 1.25 width 1
set style fill solid 1.0 border rgb 'white'
array colors[{count}] = [{colors}]
# A bar is stacked row by row: `low` and `high` are where the row at hand begins and ends.
run = 0; low = 0.0; high = 0.0
stack(row, machine, value) = (low = (row == 0 || machine != run) ? 0.0 : high, run = machine, high = low + value, high)
{labels}
## tic
{label} {row}
## unsupported
set label {row} 'not supported' at graph 0, first {row} left offset 1,0 front textcolor rgb '#777777'
## end
set label {row} {text} at first {at}, {row} left offset 0.7,0 front
## stack
stack(column(0), column('machine_index'), {value})
## plot
  plot '{name}.csv' using ({next}):(column('machine_index')):(low):(high):(column('machine_index')-{half:.3f}):(column('machine_index')+{half:.3f}):(colors[int(column('series'))]) with boxxyerror lw 0.5 lc rgb variable
## percent
'{name}.csv' using (({next}+low)/2):(column('machine_index')):(high-low < 6 ? '' : sprintf('%.0f', high-low)) with labels font ',11' textcolor rgb 'black'
## key
keyentry with boxes fc rgb {color} title {title}
