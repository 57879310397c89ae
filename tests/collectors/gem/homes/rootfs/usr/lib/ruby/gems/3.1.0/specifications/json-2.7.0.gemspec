# -*- encoding: utf-8 -*-
# stub: json 2.7.0 ruby lib

Gem::Specification.new do |s|
  s.name = "json".freeze
end
