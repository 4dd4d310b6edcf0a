% The article's objective for refdeconv challenge DIR --problem article: octave-cli article.m DIR [wrong]
% With a second argument it is wrong: 'stale' keeps the residual of the last value, 'flip' forgets that the adjoint turns the PSF.
1;

function x = read_array(folder, name, shape)
  file = fopen([folder '/' name '.bin'], 'r', 'ieee-le');
  numbers = fread(file, Inf, 'double');
  fclose(file);
  x = permute(reshape(numbers, fliplr(shape)), [2 1]);
end

function write_array(folder, name, x)
  file = fopen([folder '/' name '.bin'], 'w', 'ieee-le');
  fwrite(file, permute(x, [2 1])(:), 'double');
  fclose(file);
end

function y = forward(p, x)
  full = conv2(x, p.psf);
  y = full(p.origin(1) + (1:p.shape(1)), p.origin(2) + (1:p.shape(2)));
end

function x = adjoint(p, y)
  turned = rot90(p.psf, 2);
  o = size(p.psf) - 1 - p.origin;
  if strcmp(p.wrong, 'flip'), turned = p.psf; o = p.origin; end
  full = conv2(y, turned);
  x = full(o(1) + (1:p.shape(1)), o(2) + (1:p.shape(2)));
end

function d = differences(x)
  d = cat(3, [diff(x, 1, 1); zeros(1, columns(x))], [diff(x, 1, 2), zeros(rows(x), 1)]);
end

function x = back(d)
  a = d(1:end-1, :, 1);
  b = d(:, 1:end-1, 2);
  x = [zeros(1, columns(a)); a] - [a; zeros(1, columns(a))] + [zeros(rows(b), 1), b] - [b, zeros(rows(b), 1)];
end

function h = of_norm(r, v)
  size_of_r = sqrt(sum(r(:) .^ 2));
  h = (v - r * (sum(r(:) .* v(:)) / size_of_r ^ 2)) / size_of_r / sqrt(2);
end

function answer = call(p, name, x, v)
  persistent last;
  r = forward(p, x) - p.data;
  d = differences(x);
  switch name
    case 'value'
      last = r;
      answer = sqrt(sum(r(:) .^ 2) / 2) + p.mu * sqrt(sum(d(:) .^ 2) / 2);
    case 'gradient'
      if strcmp(p.wrong, 'stale'), r = last; end
      answer = adjoint(p, r) / sqrt(2 * sum(r(:) .^ 2)) + p.mu * back(d) / sqrt(2 * sum(d(:) .^ 2));
    case 'hvp'
      answer = adjoint(p, of_norm(r, forward(p, v))) + p.mu * back(of_norm(d, differences(v)));
    case 'forward'
      answer = forward(p, x);
    case 'adjoint'
      answer = adjoint(p, x);
  end
end

arguments = argv();
folder = arguments{1};
p.wrong = '';
if numel(arguments) > 1, p.wrong = arguments{2}; end
for line = strsplit(strtrim(fileread([folder '/parameters.csv'])), "\n")
  cells = strsplit(line{1}, ',');
  p.(cells{1}) = cellfun(@str2double, cells(2:end));
end
p.psf = read_array(folder, 'inputs/psf', p.psf_shape);
p.data = read_array(folder, 'inputs/data', p.data_shape);

calls = strsplit(strtrim(fileread([folder '/calls.csv'])), "\n");
for line = calls(2:end)
  cells = strsplit(line{1}, ',');
  x = read_array(folder, cells{3}, p.shape);
  v = [];
  if ~strcmp(cells{4}, '-'), v = read_array(folder, cells{4}, p.shape); end
  write_array(folder, cells{5}, call(p, cells{2}, x, v));
end
