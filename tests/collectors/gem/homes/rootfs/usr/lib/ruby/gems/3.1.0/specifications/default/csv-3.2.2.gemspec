# -*- encoding: utf-8 -*-
# stub: csv 3.2.2 ruby lib

Gem::Specification.new do |s|
  s.name = "csv".freeze
end
