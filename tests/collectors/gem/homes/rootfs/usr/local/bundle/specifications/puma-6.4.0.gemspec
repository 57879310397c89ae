# -*- encoding: utf-8 -*-
# stub: puma 6.4.0 ruby lib

Gem::Specification.new do |s|
  s.name = "puma".freeze
end
