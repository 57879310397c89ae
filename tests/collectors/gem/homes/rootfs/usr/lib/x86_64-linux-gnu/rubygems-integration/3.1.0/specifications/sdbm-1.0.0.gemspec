# -*- encoding: utf-8 -*-
# stub: sdbm 1.0.0 ruby lib

Gem::Specification.new do |s|
  s.name = "sdbm".freeze
end
